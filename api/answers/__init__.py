"""What is answered: each endpoint, the documents and the page."""
