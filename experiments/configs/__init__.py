"""One file for each experiment; its docstring tells the paper, the command, the number to expect and the time it takes."""
