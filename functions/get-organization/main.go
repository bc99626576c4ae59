// Command get-organization is the Lambda function behind GET /v1/organizations: it reads the organization of the
// caller's API key.
package main

import (
	"organizations-api/functions/internal/boot"
	"organizations-api/shared/api"
)

func main() { boot.Main((*api.Service).GetOrganization) }
