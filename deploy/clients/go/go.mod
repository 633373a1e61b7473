module trade-executor.example/client

go 1.19

require github.com/pebbe/zmq4 v1.2.11
