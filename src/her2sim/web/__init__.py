"""The page: questions in a browser, answered by the same functions as on the command line."""
