-- Rows of adoption that need an entry of the audit log or are written once.

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON adoption_measurement
  FOR EACH ROW EXECUTE FUNCTION plumbline_refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON adoption_measurement
  FOR EACH STATEMENT EXECUTE FUNCTION plumbline_refuse_change();
