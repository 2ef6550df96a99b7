package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// event is what happened to one attempt: the rows of the retry table.
type event uint8

const (
	nothing   event = iota
	done            // a good answer
	unsent          // it provably never reached the panel
	untrusted       // the panel's certificate was refused, so nothing was sent; another attempt would end the same way
	throttled       // 429
	expired         // 401, and there is a login that was not tried yet
	lost            // no answer, or one that may come from a proxy while the panel works on
	broken          // the panel failed, or said "success" without a usable answer
	refused         // a definite answer
)

// doubtful says whether a write may have been applied.
func (e event) doubtful() bool { return e == lost || e == broken }

// repeatable is the retry table.
func (e event) repeatable(c Class) bool {
	switch e {
	case unsent, throttled, expired:
		return true
	case lost:
		return c != Once
	default:
		return false
	}
}

// judge sorts an answer into the table and keeps what the panel said. err means that the body could not be read.
func (cl *call) judge(body []byte, err error) event {
	s := cl.status
	if s/100 == 2 {
		return cl.accept(body, err)
	}
	if cl.Declared != nil && err == nil {
		switch cl.Declared(s, body) {
		case Result:
			return cl.accept(body, nil)
		case Refusal:
			cl.words(body)
			return cl.refusal()
		case Foreign:
		}
	}
	if err != nil {
		body = nil
	}
	cl.words(body)
	switch {
	case s == http.StatusUnauthorized && cl.panel.Login != nil && cl.logins == 0:
		return expired
	case s == http.StatusTooManyRequests:
		return throttled
	case s >= 502 && s <= 504, s >= 520 && s <= 524:
		return lost
	case s/100 == 3, s/100 == 4:
		return cl.refusal()
	}
	return broken
}

// refusal is refused, except for a deletion that may have been applied by an earlier attempt: that the panel does not know the record any more is then its
// success.
func (cl *call) refusal() event {
	if cl.kind == provisioning.NotFound && cl.Method == http.MethodDelete && cl.class == Set && cl.doubt {
		return done
	}
	return refused
}

// checkRetry is the library's hook. It is called for an answer before and after that was read, and for an attempt without one. It never returns an error, which
// would hide the real one.
func (cl *call) checkRetry(_ context.Context, _ *http.Response, err error) (bool, error) {
	switch {
	case cl.stop != nil:
		return false, nil //nolint:nilerr // it is told by cl.stop
	case err != nil:
		cl.unanswered(err)
	case cl.inFlight:
		return false, nil // read it first
	}
	return cl.again(), nil
}

// again decides whether there is another attempt, and after which pause.
func (cl *call) again() bool {
	if cl.stop != nil || !cl.happened.repeatable(cl.class) {
		return false
	}
	if cl.happened == expired {
		cl.pause = 0
		return true
	}
	n := cl.attempts - cl.logins
	if n >= cl.retry.MaxAttempts {
		return false
	}
	cl.pause = jitter(cl.retry, n)
	if cl.retryAfter > 0 {
		cl.pause = cl.retryAfter
	}
	if cl.retryAfter > cl.retry.MaxRetryAfter {
		return false
	}
	latest := cl.latest()
	return latest.IsZero() || cl.pause < time.Until(latest)
}

// backoff is the library's hook; it hands out the pause that again has decided on.
func (cl *call) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration {
	cl.pausing = true
	return cl.pause
}

// jitter is a random pause before attempt n+1, up to a limit that doubles with n.
func jitter(p RetryPolicy, n int) time.Duration {
	limit := p.BaseDelay
	for range n - 1 {
		if limit >= p.MaxDelay {
			break
		}
		limit *= 2
	}
	return rand.N(min(limit, p.MaxDelay) + 1) //nolint:gosec // a pause needs no secrecy
}

// parseRetryAfter reads seconds or an HTTP date. Anything else, and times that have passed, are 0.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > math.MaxInt64/int64(time.Second) {
			return math.MaxInt64
		}
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// neverSent says whether the request provably did not reach the server. A missing trace proves nothing.
func (cl *call) neverSent(err error) bool {
	if cl.wire != nil {
		if cl.wire.got.Load() {
			return false
		}
		if cl.wire.asked.Load() {
			return true
		}
	}
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &dns)
}

// isUntrusted finds TLS failures that another attempt would not cure: the certificate, or a server that does not speak TLS.
func isUntrusted(err error) bool {
	var (
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &hostname) || errors.As(err, &invalid) ||
		errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch)
}
