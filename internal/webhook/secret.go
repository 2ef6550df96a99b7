package webhook

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Limits of a shared secret, in characters.
const (
	MinSecretLength = 16
	MaxSecretLength = 512
)

// NewMatcher checks the secrets and returns the comparison with all of them. It takes the same time whichever of them matches, or none, and wherever a wrong
// one differs: digests of equal length are compared, every one of them, in constant time.
//
// field names the list in errors. No secret at all is an error: it must never mean that everybody is welcome.
func NewMatcher(field string, secrets []provisioning.Secret) (match func(given string) bool, err error) {
	if len(secrets) == 0 {
		return nil, provisioning.InvalidField(field, "at least one is required; without it anybody could send notifications")
	}
	digests := make([][sha256.Size]byte, 0, len(secrets))
	for i, s := range secrets {
		text := s.Reveal()
		if len(text) < MinSecretLength || len(text) > MaxSecretLength {
			return nil, provisioning.InvalidField(field, "number %d must have %d to %d characters", i+1, MinSecretLength, MaxSecretLength)
		}
		for _, c := range []byte(text) {
			if c <= ' ' || c > '~' {
				return nil, provisioning.InvalidField(field, "number %d must consist of printable ASCII characters without spaces", i+1)
			}
		}
		digests = append(digests, sha256.Sum256([]byte(text)))
	}
	return func(given string) bool {
		digest := sha256.Sum256([]byte(given))
		matches := 0
		for i := range digests {
			matches |= subtle.ConstantTimeCompare(digests[i][:], digest[:])
		}
		return matches == 1
	}, nil
}
