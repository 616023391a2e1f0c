"""The MCP server: agents read what their person may see, and draft what their person may write."""
