"""A socket as systemd's: prints each message that comes as a JSON line. Argument: its path."""
import json
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print(json.dumps("listening"), flush=True)
while True:
    # descriptors that come along are closed, which is what a sender's barrier waits for
    print(json.dumps(listener.recv(65536).decode()), flush=True)
