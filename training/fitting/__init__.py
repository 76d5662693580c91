"""Models: searched, fitted, judged, drawn, described and proven."""
