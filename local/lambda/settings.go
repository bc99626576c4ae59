// Package lambda runs Lambda functions on a laptop. It starts the bootstrap that you would deploy as a process, and
// serves the Lambda Runtime API to it. So the same binary runs here and in Lambda, with the same environment, deadlines
// and ends. It needs no container engine.
//
// A Sandbox is one process. Use it to measure or to look closely. A Function starts as many processes as its
// invocations need.
//
// These things are as in Lambda: the Runtime API of version 2018-06-01, the environment, the limits of time and size,
// and one invocation at a time for each process. A process is replaced when it crashes or is out of time. These things
// differ: a process is not frozen between invocations, its memory and CPU are not limited, it can use the files and the
// network of this machine, and there is no Extensions API. Other processes can reach the port of a Runtime API here. So
// its address has a path with a secret, AWS_LAMBDA_RUNTIME_API=127.0.0.1:PORT/SECRET, which it does not have in Lambda.
// Facts about Lambda are from the pages of the AWS Lambda Developer Guide that are named beside them.
//
// It runs on Linux, macOS and Windows, where only the bootstrap itself is ended and not what it started. It must import
// no other adapter, no store and nothing of the domain, and aws-lambda-go only in its tests. No Lambda binary may
// import it.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Lambda uses these values if the configuration has none. They are from "Lambda quotas" and "Configuring Lambda
// function timeout", and for the init phase from "Understanding the Lambda execution environment lifecycle".
const (
	DefaultMemory      = 128
	DefaultTimeout     = 3 * time.Second
	DefaultInitTimeout = 10 * time.Second
)

const (
	minMemory, maxMemory = 128, 10240
	maxTimeout           = 15 * time.Minute
	maxVariables         = 4 << 10 // bytes of all names and values
)

// Settings say what to run. A process gets nothing of this machine's environment that is not in its Settings.
//
// Output gets one Write for each line, one at a time. If several Sandboxes or Functions share an Output, it must be
// safe for concurrent use. While Output blocks, a process that writes more than a pipe holds blocks too.
type Settings struct {
	Bootstrap   string            // path of the executable; the process works in its folder
	Name        string            // of the function
	Region      string            // for the environment and the function's ARN
	Memory      int               // in MB; only told to the process. 0 stands for DefaultMemory
	Timeout     time.Duration     // of an invocation; 0 stands for DefaultTimeout
	InitTimeout time.Duration     // of a start; 0 stands for DefaultInitTimeout
	Credentials Credentials       // of the function's role; not used if Renew is set
	Variables   map[string]string // the function's own; names that Lambda reserves are refused
	Output      io.Writer         // gets what the processes write; nil discards it

	// Renew returns the credentials for a process that is about to start. If it is nil, every process gets Credentials.
	// It must be safe for concurrent use.
	Renew func(context.Context) (Credentials, error)
}

// Credentials are the AWS credentials in the environment of the process. Empty ones are not set.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string

	Expires time.Time // zero if they do not expire. A Function gives a process no event that could take longer
}

// renewed returns the settings for one process, with credentials that are valid now.
func (s Settings) renewed(ctx context.Context) (Settings, error) {
	if s.Renew == nil {
		return s, nil
	}
	credentials, err := s.Renew(ctx)
	if err != nil {
		return s, &InitError{fmt.Errorf("getting credentials: %w", err)}
	}
	s.Credentials = credentials
	return s, nil
}

// checked returns the settings with defaults filled in. The error names everything that is wrong with them.
func (s Settings) checked() (Settings, error) {
	if s.Memory == 0 {
		s.Memory = DefaultMemory
	}
	if s.Timeout == 0 {
		s.Timeout = DefaultTimeout
	}
	if s.InitTimeout == 0 {
		s.InitTimeout = DefaultInitTimeout
	}
	if s.Output == nil {
		s.Output = io.Discard
	}
	s.Output = &oneAtATime{w: s.Output}
	var problems []error
	problem := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	problem(s.Name == "", "a function needs a name")
	problem(s.Region == "", "a function needs a region")
	problem(s.Memory < minMemory || s.Memory > maxMemory, "a memory of %d MB is not from %d to %d", s.Memory, minMemory, maxMemory)
	problem(s.Timeout < 0 || s.Timeout > maxTimeout, "a timeout of %v is not from 0 to %v", s.Timeout, maxTimeout)
	problem(s.InitTimeout < 0, "an init timeout of %v is negative", s.InitTimeout)
	bootstrap, err := executable(s.Bootstrap)
	s.Bootstrap = bootstrap
	return s, errors.Join(append(problems, err, checkVariables(s.Variables))...)
}

// executable returns the absolute path of a file that can run on this machine.
func executable(path string) (string, error) {
	if path == "" {
		return "", errors.New("a function needs a bootstrap")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding the bootstrap: %w", err)
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return "", fmt.Errorf("finding the bootstrap: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return "", fmt.Errorf("the bootstrap %s is not an executable file", absolute)
	}
	return absolute, checkPlatform(absolute)
}
