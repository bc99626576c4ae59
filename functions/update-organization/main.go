// Command update-organization is the Lambda function behind PATCH /v1/organizations: it changes the organization of the
// caller's API key.
package main

import (
	"organizations-api/functions/internal/boot"
	"organizations-api/shared/api"
)

func main() { boot.Main((*api.Service).UpdateOrganization) }
