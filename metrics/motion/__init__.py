"""How frames follow one another: smoothness of motion, and whether anything moves."""
