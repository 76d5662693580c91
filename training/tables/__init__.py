"""Tables: where rows come from, what they must be, which are left out, who may see them."""
