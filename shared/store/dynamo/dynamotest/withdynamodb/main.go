// Command withdynamodb runs a command beside a DynamoDB Local:
//
//	go run ./shared/store/dynamo/dynamotest/withdynamodb go test ./...
//
// It starts the server, passes its base URL to the command in ORGS_TEST_DYNAMODB_ENDPOINT, and stops it afterwards. So
// the test processes of all packages share one server, but for those that call dynamotest.Own. If the variable is set
// already, it starts nothing. It exits with the command's status.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"

	"organizations-api/shared/store/dynamo/dynamotest"
)

func main() {
	status, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withdynamodb:", err)
	}
	os.Exit(status)
}

// run returns the exit status of the command. It is 1, with an error, if the command did not run.
func run(arguments []string) (int, error) {
	if len(arguments) == 0 {
		return 2, errors.New("name a command to run")
	}
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	if os.Getenv(dynamotest.EndpointVariable) == "" {
		url, stop, err := dynamotest.Start("", dynamotest.Heap)
		if err != nil {
			return 1, fmt.Errorf("starting DynamoDB Local (needs npm and java): %w", err)
		}
		defer func() { _ = stop() }() // the script that runs the server ends with an error, as it kills it
		command.Env = append(os.Environ(), dynamotest.EndpointVariable+"="+url, dynamotest.SharedVariable+"=1")
	}
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // the terminal sends it to the command too, which decides
	err := command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
