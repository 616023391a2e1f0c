"""Provisioning by SCIM 2.0: accounts and groups that a company directory keeps."""
