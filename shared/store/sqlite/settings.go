package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"organizations-api/shared/apikey"
)

const (
	secretsQuery       = `SELECT secret FROM key_secrets ORDER BY position`
	addSecretStatement = `INSERT INTO key_secrets (secret) VALUES (?) ON CONFLICT DO NOTHING`
)

// KeySecrets implements store.KeySecrets.
func (s *Store) KeySecrets(ctx context.Context) (apikey.Secrets, error) {
	secrets, err := all(ctx, s.reader, readSecret, secretsQuery)
	return secrets, fail(ctx, "reading the secrets for keys", s.inPlace(err))
}

// readSecret returns an error that does not quote the secret.
func readSecret(row scanner) (apikey.Secret, error) {
	var text string
	if err := row.Scan(&text); err != nil {
		return apikey.Secret{}, err
	}
	secret, err := apikey.ParseSecret(text)
	if err != nil {
		return apikey.Secret{}, errors.New("a row of the table key_secrets is damaged")
	}
	return secret, nil
}

// EnsureKeySecrets implements store.Signing. A file has a secret from the beginning.
func (s *Store) EnsureKeySecrets(ctx context.Context) (secrets apikey.Secrets, err error) {
	if secrets, err = s.KeySecrets(ctx); err != nil || len(secrets) > 0 {
		return secrets, err
	}
	err = s.write(ctx, "making a secret for keys", func(tx *sql.Tx) error {
		if err := ensureSecret(ctx, tx); err != nil {
			return err
		}
		secrets, err = all(ctx, tx, readSecret, secretsQuery)
		return err
	})
	return secrets, err
}

// ensureSecret makes a secret if there is none.
func ensureSecret(ctx context.Context, tx *sql.Tx) error {
	const statement = `INSERT INTO key_secrets (secret) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM key_secrets)`
	_, err := tx.ExecContext(ctx, statement, apikey.NewSecret().Reveal())
	return err
}

// AddKeySecrets implements store.Signing.
func (s *Store) AddKeySecrets(ctx context.Context, secrets apikey.Secrets) error {
	return s.write(ctx, "adding secrets for keys", func(tx *sql.Tx) error {
		for _, secret := range secrets {
			if _, err := tx.ExecContext(ctx, addSecretStatement, secret.Reveal()); err != nil {
				return err
			}
		}
		return nil
	})
}
