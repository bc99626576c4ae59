package lambdahttp

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"organizations-api/shared/ijson"
)

// decodeEvent reads what newRequest uses of an event; the rest, which is most of it, is passed over.
func decodeEvent(payload []byte) (event events.APIGatewayV2HTTPRequest, err error) {
	value, err := ijson.Parse(payload)
	if err != nil || value.Kind() != ijson.Object {
		// The gateway is not bound to be as strict as we are; what no reader takes is an error.
		if err := json.Unmarshal(payload, &event); err != nil {
			return event, fmt.Errorf("decoding the event: %w", err)
		}
		return event, nil
	}
	for name, v := range value.Members() {
		switch name {
		case "version":
			event.Version = v.Str()
		case "rawPath":
			event.RawPath = v.Str()
		case "rawQueryString":
			event.RawQueryString = v.Str()
		case "cookies":
			for _, cookie := range v.Elements() {
				event.Cookies = append(event.Cookies, cookie.Str())
			}
		case "headers":
			const headers = 16 // about as many as there are
			event.Headers = make(map[string]string, headers)
			for name, header := range v.Members() {
				event.Headers[name] = header.Str()
			}
		case "requestContext":
			decodeContext(v, &event.RequestContext)
		case "body":
			event.Body = v.Str()
		case "isBase64Encoded":
			event.IsBase64Encoded = v.Text() == "true"
		}
	}
	return event, nil
}

func decodeContext(value ijson.Value, about *events.APIGatewayV2HTTPRequestContext) {
	for name, v := range value.Members() {
		switch name {
		case "domainName":
			about.DomainName = v.Str()
		case "requestId":
			about.RequestID = v.Str()
		case "stage":
			about.Stage = v.Str()
		case "http":
			for name, v := range v.Members() {
				switch name {
				case "method":
					about.HTTP.Method = v.Str()
				case "sourceIp":
					about.HTTP.SourceIP = v.Str()
				}
			}
		}
	}
}
