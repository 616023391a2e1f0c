"""Ideas of people without an account: links, requests, answers and comparison."""
