"""What users call: one public class a module, methods of a few lines. The wire is the business of `io`."""
