"""The AWS side: what `pulumi up` creates, one component per file."""
