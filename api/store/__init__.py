"""What is published: a model directory's contract, and how it is fetched and verified."""
