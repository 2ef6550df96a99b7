package engine

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// TakePassword hands out the newest root password of a service, once: it is deleted with that. Panels tell a password only to the call that set it; when that
// answer was lost, or somebody has taken it, the error is NotFound, and a reset (ResetRootPassword) makes a new one.
func (e *Engine) TakePassword(ctx context.Context, key string) (provisioning.Secret, error) {
	var text string
	ok, err := e.db.pool().one(ctx, `DELETE FROM hvpanels_password WHERE key=$1 RETURNING secret`, []any{key}, &text)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", &provisioning.Error{Op: "TakePassword", Kind: provisioning.NotFound, Message: "no password waits for " + key + "; reset it"}
	}
	return e.vault.open(text)
}

// keepPassword stores a password until it is taken. It does not need the row: the panel has set the password, whoever writes it down.
func (s *step) keepPassword(ctx context.Context, password provisioning.Secret) error {
	if password == "" {
		return nil
	}
	ctx, cancel := storing(ctx)
	defer cancel()
	return storePassword(ctx, s.e.db.pool(), s.t.key, s.e.vault.seal(password))
}

func storePassword(ctx context.Context, c conn, key, sealed string) error {
	_, err := c.exec(ctx, `INSERT INTO hvpanels_password(key, secret, created_at) VALUES ($1, $2, {now})
		ON CONFLICT (key) DO UPDATE SET secret=excluded.secret, created_at=excluded.created_at`, key, sealed)
	return err
}

// vault encrypts what is stored of passwords, when it has a key.
type vault struct{ aead cipher.AEAD }

const (
	sealedPrefix = "aes256gcm:"
	plainPrefix  = "plain:"
)

func newVault(key provisioning.Secret) (*vault, error) {
	if key == "" {
		return &vault{}, nil
	}
	sum := sha256.Sum256([]byte("hvpanels engine passwords\x00" + key.Reveal()))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, fmt.Errorf("engine: password key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("engine: password key: %w", err)
	}
	return &vault{aead}, nil
}

func (v *vault) seal(s provisioning.Secret) string {
	if v.aead == nil {
		return plainPrefix + s.Reveal()
	}
	sealed := v.aead.Seal(nil, nil, []byte(s.Reveal()), nil) // #nosec G407 -- this cipher takes no nonce: it makes a random one
	return sealedPrefix + base64.StdEncoding.EncodeToString(sealed)
}

func (v *vault) open(text string) (provisioning.Secret, error) {
	if plain, ok := strings.CutPrefix(text, plainPrefix); ok {
		return provisioning.Secret(plain), nil
	}
	refuse := &provisioning.Error{Op: "TakePassword", Kind: provisioning.Invalid, Message: "the stored password cannot be decrypted with this PasswordKey"}
	sealed, ok := strings.CutPrefix(text, sealedPrefix)
	if !ok || v.aead == nil {
		return "", refuse
	}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", refuse
	}
	plain, err := v.aead.Open(nil, nil, raw, nil)
	if err != nil {
		return "", refuse
	}
	return provisioning.Secret(plain), nil
}
