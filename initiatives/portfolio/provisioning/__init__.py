"""Provisioning by SCIM 2.0: accounts and groups that a directory of the company keeps."""
