// Package lambda runs Lambda functions on a laptop: it starts the bootstrap that would be deployed as a process and
// is the Lambda Runtime API to it. So what runs here is the binary that runs in Lambda, with its environment, its
// deadlines and its ends, and without a container engine.
//
// A Sandbox is one process, for who measures or looks closely; a Function is as many of them as its invocations need.
//
// What is the same: the Runtime API of version 2018-06-01, the environment, the limits of time and size, one invocation
// at a time for each process, and that a process is replaced when it crashed or was out of time. What is not: a process
// is neither frozen between invocations, nor limited in memory and CPU, nor kept from the files and the network of this
// machine, and there is no Extensions API. Other processes can reach the port of a Runtime API here, so its address has a
// path with a secret, AWS_LAMBDA_RUNTIME_API=127.0.0.1:PORT/SECRET; in Lambda it has none. Facts about Lambda are from the pages of the AWS Lambda Developer Guide that are named beside them.
//
// It runs on Linux and macOS. It must import no other adapter, no store and nothing of the domain, and aws-lambda-go only
// in its tests. No Lambda binary may import it.
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

// Lambda's own values where Settings do not say, from "Lambda quotas" and "Configuring Lambda function timeout"; for the
// init phase from "Understanding the Lambda execution environment lifecycle".
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

// Settings say what to run. All that the process gets of this machine's environment is what they name.
//
// Output gets one Write for each line, and one at a time. Where several Sandboxes or Functions share it, it must be safe
// for concurrent use. While it blocks, so does a process that writes more than a pipe holds.
type Settings struct {
	Bootstrap   string            // path of the executable; its folder becomes the process's
	Name        string            // of the function
	Region      string            // for the environment and the function's ARN
	Memory      int               // in MB; only told to the process. 0 stands for DefaultMemory
	Timeout     time.Duration     // of an invocation; 0 stands for DefaultTimeout
	InitTimeout time.Duration     // of a start; 0 stands for DefaultInitTimeout
	Credentials Credentials       // of the function's role, where Renew is nil
	Variables   map[string]string // the function's own; names that Lambda reserves are refused
	Output      io.Writer         // gets what the processes write; nil discards it

	// Renew returns the credentials for a process that is about to start; nil where Credentials are good for ever. It may
	// be called by several at once.
	Renew func(context.Context) (Credentials, error)
}

// Credentials are those that the process finds in its environment. Empty ones are not set.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string

	Expires time.Time // zero where they do not. A Function gives a process no event that these may not outlast
}

// renewed returns the settings for one process, with the credentials of now.
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

// checked returns the settings with defaults filled in, or an error that says everything that is wrong with them.
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

// executable returns the absolute path of a file that can be run on this machine.
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
