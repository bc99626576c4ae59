// Command go reads the organization of an API key and renames it, by the client that oapi-codegen makes of the contract. It
// sends a name that is too short, one that fits, and one with the ETag that is out of date by then.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/oapi-codegen/nullable"

	"organizations-api/docs/examples/go/organizations"
)

func main() {
	if err := rename(context.Background(), os.Getenv("ORGANIZATIONS_URL"), os.Getenv("ORGANIZATIONS_KEY")); err != nil {
		log.Fatal(err)
	}
}

func rename(ctx context.Context, url, key string) error {
	authorize := organizations.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+key)
		return nil
	})
	client, err := organizations.NewClientWithResponses(url, authorize)
	if err != nil {
		return err
	}
	current, err := client.GetOrganizationV1OrganizationsGetWithResponse(ctx, nil)
	if err != nil {
		return fmt.Errorf("getting the organization: %w", err)
	}
	if current.JSON200 == nil {
		return fmt.Errorf("getting the organization: %s: %s", current.Status(), current.Body)
	}
	fmt.Println("200 it is", current.JSON200.OrganizationName)
	onlyIf := organizations.UpdateOrganizationV1OrganizationsPatchParams{IfMatch: &current.Headers200.ETag}
	for _, name := range []string{"", "Renamed by Go", "Renamed again"} {
		body := organizations.OrganizationUpdateRequest{OrganizationName: nullable.NewNullableWithValue(name)}
		answer, err := client.UpdateOrganizationV1OrganizationsPatchWithResponse(ctx, &onlyIf, body)
		switch {
		case err != nil:
			return fmt.Errorf("changing the organization: %w", err)
		case answer.JSON200 != nil:
			fmt.Println("200 it is", answer.JSON200.OrganizationName)
		case answer.JSON412 != nil:
			fmt.Println("412 someone was faster; read it again:", answer.JSON412.Error.Message)
		case answer.JSON422 != nil:
			for _, problem := range *answer.JSON422.Detail {
				fmt.Println("422 the name will not do:", problem.Msg)
			}
		default:
			return fmt.Errorf("changing the organization: %s: %s", answer.Status(), answer.Body)
		}
	}
	return nil
}
