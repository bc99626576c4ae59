package main

import (
	"context"
	"log/slog"
	"net"

	"organizations-api/cmd/orgs/web"
	"organizations-api/shared/api"
	"organizations-api/shared/openapi"
)

// pages returns what the gateway shows to a browser.
func (a *app) pages(service *api.Service, s *storage, limits bool, addr net.Addr, logger *slog.Logger) (*web.Pages, error) {
	return web.New(web.Options{
		Contract: openapi.YAML,
		State:    func(ctx context.Context) (web.State, error) { return a.pageState(ctx, s, limits) },
		Service:  service,
		Trail:    s,
		Logger:   logger,
		Loopback: isLoopback(addr),
	})
}

// pageState returns what the welcome page tells. It shows an organization only where a store of this machine holds a
// single one: that is the demo organization, whatever it was renamed to.
func (a *app) pageState(ctx context.Context, s *storage, limits bool) (web.State, error) {
	state := web.State{
		Store:      s.choice,
		RateLimits: limits,
		IssueKey:   a.commandLine("keys issue ORG --permission admin"),
		List:       a.commandLine("list"),
	}
	if !s.local {
		return state, nil
	}
	first, _, err := s.List(ctx, "", 2)
	if err != nil {
		return state, err
	}
	if len(first) == 1 && first[0].DeletedAt == nil {
		only := first[0]
		state.Organization = &only
		state.IssueKey = a.commandLine("keys issue " + string(only.ID) + " --permission admin")
	}
	return state, nil
}
