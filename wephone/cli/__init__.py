"""`wephone`, the command: one module for each thing it can do, loaded when it is asked for."""
