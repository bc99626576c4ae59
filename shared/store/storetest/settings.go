package storetest

import (
	"slices"
	"testing"

	"organizations-api/shared/apikey"
)

// secretsOf returns the store's secrets, which both handles must read alike.
func (s suite) secretsOf(t *testing.T) apikey.Secrets {
	t.Helper()
	a, err := s.a.KeySecrets(t.Context())
	want(t, "KeySecrets", err)
	b, err := s.b.KeySecrets(t.Context())
	want(t, "KeySecrets", err)
	if !slices.Equal(a, b) {
		t.Errorf("KeySecrets has %d secrets by one handle and %d others by the other, want the same", len(a), len(b))
	}
	return a
}

// keySecrets makes the store's first secret, or finds it, and adds others. It is the only check that does so.
func (s suite) keySecrets(t *testing.T) {
	const processes = 6
	made := make([]apikey.Secrets, processes)
	together(processes, func(i int) {
		var err error
		if made[i], err = s.handle(i).EnsureKeySecrets(t.Context()); err != nil {
			t.Errorf("EnsureKeySecrets by %d = %v, want no error", i, err)
		}
	})
	first := s.secretsOf(t)
	if len(first) == 0 {
		t.Fatal("KeySecrets after EnsureKeySecrets = none, want one at least")
	}
	for i := range made {
		if !slices.Equal(made[i], first) {
			t.Errorf("EnsureKeySecrets by %d has %d secrets that are not those of the store, which has %d", i, len(made[i]), len(first))
		}
	}

	added := make([]apikey.Secret, processes)
	together(processes, func(i int) {
		added[i] = apikey.NewSecret()
		if err := s.handle(i).AddKeySecrets(t.Context(), apikey.Secrets{added[i], first[0]}); err != nil {
			t.Errorf("AddKeySecrets by %d = %v, want no error", i, err)
		}
	})
	all := s.secretsOf(t)
	if len(all) != len(first)+processes || !slices.Equal(all[:len(first)], first) {
		t.Errorf("%d secrets after %d were added to %d, want all of them, and the first ones in their places", len(all), processes, len(first))
	}
	for i, secret := range added {
		if !slices.Contains(all, secret) {
			t.Errorf("the secret that was added by %d is not among those of the store", i)
		}
	}
	want(t, "AddKeySecrets of none", s.a.AddKeySecrets(t.Context(), nil))
	want(t, "AddKeySecrets again", s.b.AddKeySecrets(t.Context(), all))
	if again, err := s.a.EnsureKeySecrets(t.Context()); err != nil || !slices.Equal(again, all) || !slices.Equal(s.secretsOf(t), all) {
		t.Errorf("EnsureKeySecrets, with %d secrets there, = %d, %v, want them as they are", len(all), len(again), err)
	}
}
