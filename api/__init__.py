"""The prediction service: reads a published model directory, answers predictions over HTTP."""
