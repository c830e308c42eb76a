"""The command `fer-course` and what it does with the course: an author's side, which no notebook imports."""
