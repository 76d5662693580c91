"""Security rules over the stack's resources, for Pulumi and for the tests."""
