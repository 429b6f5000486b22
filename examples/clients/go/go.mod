module installer

go 1.19
