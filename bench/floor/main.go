// Command floor is the smallest possible Lambda function in Go: aws-lambda-go and a constant answer. The figures of
// real functions are multiples of its figures. It must import nothing else.
package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(answer) }

func answer(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"Content-Type": "application/json"},
		Body:       `{"organization_name":"Floor"}`,
	}, nil
}
