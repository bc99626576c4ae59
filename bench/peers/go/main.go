// Command go is what a team might write in place of this service: a Lambda function in Go with the AWS SDK as its
// examples use it, the config and the attributevalue package. It answers GET /v1/organizations. It has no rate limits,
// entity tags, conditional requests, checksums of keys, metrics or checks of what the store answers.
//
// It is a module of its own, so that it has the newest SDK.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type organization struct {
	ID                 string          `json:"organization_id" dynamodbav:"-"`
	Name               string          `json:"organization_name" dynamodbav:"organization_name"`
	LogoURL            *string         `json:"logo_url" dynamodbav:"logo_url"`
	Tier               string          `json:"account_type" dynamodbav:"account_type"`
	Credits            int64           `json:"credit_count" dynamodbav:"credit_count"`
	Metadata           json.RawMessage `json:"metadata" dynamodbav:"-"`
	MetadataText       string          `json:"-" dynamodbav:"metadata"`
	BillingEmail       *string         `json:"billing_email" dynamodbav:"billing_email"`
	NotificationsEmail *string         `json:"notifications_email" dynamodbav:"notifications_email"`
	RateLimits         map[string]int  `json:"rate_limits" dynamodbav:"rate_limits"`
	AutoBilling        bool            `json:"auto_billing_enabled" dynamodbav:"auto_billing_enabled"`
	BillingCycleStart  int             `json:"billing_cycle_start" dynamodbav:"billing_cycle_start"`
	CurrentMonthUsage  int64           `json:"current_month_usage" dynamodbav:"current_month_usage"`
	CreatedAt          string          `json:"created_at" dynamodbav:"created_at"`
	UpdatedAt          string          `json:"updated_at" dynamodbav:"updated_at"`
	Keys               map[string]key  `json:"-" dynamodbav:"api_keys"`
}

type key struct {
	RevokedAt *string `dynamodbav:"revoked_at"`
	ExpiresAt *string `dynamodbav:"expires_at"`
}

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	h := handler{dynamodb.NewFromConfig(cfg), os.Getenv("ORGANIZATIONS_TABLE")}
	lambda.Start(h.get)
}

type handler struct {
	client *dynamodb.Client
	table  string
}

func (h handler) get(
	ctx context.Context, event events.APIGatewayV2HTTPRequest,
) (events.APIGatewayV2HTTPResponse, error) {
	token := strings.TrimPrefix(event.Headers["authorization"], "Bearer ")
	parts := strings.Split(token, "_") // sk, mode, organization, secret
	if len(parts) != 4 {
		return respond(401, map[string]string{"error": "not an API key"})
	}
	id := "org_" + parts[2]
	pk, err := attributevalue.MarshalMap(map[string]string{"PK": "ORG#" + id, "SK": "ORG"})
	if err != nil {
		return respond(500, map[string]string{"error": "internal"})
	}
	out, err := h.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &h.table, Key: pk, ConsistentRead: aws.Bool(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		log.Print(err)
		return respond(503, map[string]string{"error": "unavailable"})
	}
	var o organization
	if err := attributevalue.UnmarshalMap(out.Item, &o); err != nil {
		log.Print(err)
		return respond(500, map[string]string{"error": "internal"})
	}
	hash := sha256.Sum256([]byte(token))
	k, ok := o.Keys[hex.EncodeToString(hash[:])]
	now := time.Now().UTC().Format(time.RFC3339)
	if !ok || k.RevokedAt != nil || k.ExpiresAt != nil && *k.ExpiresAt <= now {
		return respond(401, map[string]string{"error": "unauthorized"})
	}
	o.ID, o.Metadata = id, json.RawMessage(o.MetadataText)
	if o.MetadataText == "" {
		o.Metadata = json.RawMessage("{}")
	}
	return respond(200, o)
}

func respond(status int, body any) (events.APIGatewayV2HTTPResponse, error) {
	text, err := json.Marshal(body)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status, Headers: map[string]string{"Content-Type": "application/json"}, Body: string(text),
	}, err
}
