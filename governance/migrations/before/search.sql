-- Words of a text, for search.

CREATE FUNCTION plumbline_split(said text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE STRICT COST 5000 PARALLEL SAFE AS $$
DECLARE
  bare text := lower(said);
BEGIN
  IF octet_length(bare) = length(bare) THEN
    bare := regexp_replace(bare, '[^a-z0-9]+', ' ', 'g');
  ELSE
    bare := regexp_replace(normalize(bare, NFKD), '[\u0300-\u036f]', '', 'g');
    -- Letters that no decomposition takes their strokes from.
    bare := translate(bare, 'øłđðħŧ' || U&'\0131', 'olddhti');
    bare := replace(replace(replace(replace(bare, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    bare := regexp_replace(bare, '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7'
      '\u02b0-\u02ff\u2000-\u2bff\u3000-\u303f]+', ' ', 'g');
  END IF;
  IF bare ~ '[^ ]{61}' THEN
    bare := regexp_replace(bare, '([^ ]{60})[^ ]+', '\1', 'g');
  END IF;
  RETURN array_remove(string_to_array(bare, ' '), '');
END $$;

CREATE FUNCTION plumbline_words(said text) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE STRICT COST 5000 PARALLEL SAFE AS $$BEGIN RETURN array_to_tsvector(public.plumbline_split(said)); END$$;
