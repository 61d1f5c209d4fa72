module compat/franz-go-older

go 1.23
