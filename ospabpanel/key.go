package ospabpanel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// MinKeyLength is the shortest sync key, in characters, that the manuals allow.
const MinKeyLength = 32

// KeySource returns the sync key. It is asked for every request, so that a key can be changed on both sides without a restart, and must be safe for concurrent
// use. A source that fails, or returns a key that New would refuse, stops the request before it is sent.
type KeySource func(ctx context.Context) (provisioning.Secret, error)

// publishedKeys are the SHA-256 sums of keys that stand in public manuals. They are long enough, and worthless.
var publishedKeys = map[string]string{
	"b7d10e345199614df73710d3c9386653e124f8b56430c6f3545d5dd2edf9167b": "is the placeholder of the manual",
}

// checkKey refuses what cannot be the key of a careful administrator. No error holds any part of the key.
func checkKey(key provisioning.Secret) error {
	refuse := func(format string, args ...any) error { return provisioning.InvalidField("key", format, args...) }
	k := key.Reveal()
	switch {
	case k == "":
		return refuse("is empty")
	case strings.TrimSpace(k) != k:
		return refuse("begins or ends with a blank or a line break: trim it where it is read")
	case len(k) > 1 && strings.ContainsAny(k[:1], `"'`+"`") && k[len(k)-1] == k[0]:
		return refuse("stands in quotes: some loaders of env files keep them, remove them")
	case strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r > '~' }):
		return refuse("holds a blank, a control character or a letter outside of ASCII: a placeholder was probably left in place")
	case len(k) < MinKeyLength:
		return refuse("has %d characters, at least %d are needed: openssl rand -hex 16 makes a good one", len(k), MinKeyLength)
	}
	sum := sha256.Sum256([]byte(k))
	if why, ok := publishedKeys[hex.EncodeToString(sum[:])]; ok {
		return refuse("%s, which everybody knows: openssl rand -hex 16 makes a good one", why)
	}
	if len(k) == 40 && k[:8] == k[32:] {
		return refuse("is built like the sample of the manual, 32 characters with the first 8 once more behind them: use 32 random characters of your own")
	}
	return nil
}
