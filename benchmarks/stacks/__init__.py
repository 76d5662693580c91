"""The stacks that are compared, each as its users would build it."""
