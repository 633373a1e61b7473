package client

import (
	"fmt"
	"os"
	"strings"
)

// CurveKeys are our key pair and the worker's public key, each as 40 characters of Z85.
type CurveKeys struct{ Public, Secret, Server string }

// LoadCurveKeys reads the files of `trade-executor keys generate`: our NAME.key_secret, the worker's public NAME.key.
func LoadCurveKeys(secretFile, serverFile string) (*CurveKeys, error) {
	public, err := key(secretFile, "public-key")
	if err != nil {
		return nil, err
	}
	secret, err := key(secretFile, "secret-key")
	if err != nil {
		return nil, err
	}
	server, err := key(serverFile, "public-key")
	if err != nil {
		return nil, err
	}
	return &CurveKeys{Public: public, Secret: secret, Server: server}, nil
}

func key(file, name string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for _, line := range strings.Split(string(text), "\n") {
		// A # begins a comment only at the start of a line: keys contain it too.
		found, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.TrimSpace(found) == name {
			value = strings.Trim(strings.TrimSpace(value), `"'`)
			if len(value) == 40 {
				return value, nil
			}
		}
	}
	return "", fmt.Errorf("%s has no %s of 40 characters", file, name)
}
