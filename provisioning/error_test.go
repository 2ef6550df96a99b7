package provisioning_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

var kinds = []provisioning.Kind{
	provisioning.Invalid, provisioning.Unauthorized, provisioning.Forbidden, provisioning.NotFound, provisioning.NoRoute, provisioning.Conflict, provisioning.Locked,
	provisioning.Capacity, provisioning.Maintenance, provisioning.RateLimited, provisioning.Unavailable, provisioning.Mismatch, provisioning.Unsupported,
	provisioning.Unexpected,
}

func TestAnErrorIsItsKindAndNoOther(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		err := fmt.Errorf("resizing: %w", &provisioning.Error{Kind: kind})
		for _, other := range kinds {
			assert.Equal(t, kind == other, errors.Is(err, other), "%s is %s", kind, other)
		}
		assert.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.NotErrorIs(t, err, provisioning.ErrStillRunning)
	}
	assert.Equal(t, "not found", provisioning.NotFound.Error())
	assert.Equal(t, "rate limited", provisioning.RateLimited.Error())
	require.ErrorIs(t, provisioning.NotFound, provisioning.NotFound)
	require.NotErrorIs(t, provisioning.NotFound, provisioning.NoRoute, "a missing route is never read as a server that is gone")
}

func TestAnErrorTellsWhatLiesBelow(t *testing.T) {
	t.Parallel()
	err := error(&provisioning.Error{Kind: provisioning.Unavailable, MaybeApplied: true, Err: fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
	require.ErrorIs(t, err, provisioning.Unavailable)
	require.NotErrorIs(t, err, context.Canceled)
	wrapped := fmt.Errorf("order 17: %w", err)
	var e *provisioning.Error
	require.ErrorAs(t, wrapped, &e)
	assert.True(t, e.MaybeApplied)
	require.ErrorIs(t, errors.Join(io.EOF, wrapped), provisioning.ErrMaybeApplied)
	require.ErrorIs(t, &provisioning.Error{Kind: provisioning.Unavailable, Err: err}, provisioning.ErrMaybeApplied, "doubt below is doubt above")
}

func TestAnErrorSaysWhatHappenedInOneLine(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*provisioning.Error{
		"invalid": {Kind: provisioning.Invalid},
		"virtfusion: createServer: unavailable (HTTP 504): unexpected EOF after 3 attempts; it may have been applied": {
			Panel: "virtfusion", Op: "createServer", Method: "POST", Path: "/servers", Status: 504, Attempts: 3, Kind: provisioning.Unavailable,
			MaybeApplied: true, Err: io.ErrUnexpectedEOF,
		},
		"virtfusion: bootServer: locked (HTTP 423): pending tasks in queue": {Panel: "virtfusion", Op: "bootServer", Status: 423, Attempts: 1,
			Kind: provisioning.Locked, Message: "pending tasks in queue"},
		"solusvm2: rate limited (HTTP 429), retry after 1m0s": {Panel: "solusvm2", Status: 429, Kind: provisioning.RateLimited, RetryAfter: time.Minute},
		"invalid; ipv4: must be 0 to 4; name: is missing, is too short": {
			Kind: provisioning.Invalid, Fields: map[string][]string{"name": {"is missing", "is too short"}, "ipv4": {"must be 0 to 4"}},
		},
		"unexpected: line one  line two [31m red": {Kind: provisioning.Unexpected, Message: "line one\r\nline two\x1b[31m\u2028red"},
	} {
		assert.Equal(t, want, e.Error())
		assert.NotContains(t, e.Error(), "\n")
	}
	assert.Equal(t, "invalid; memory: must be 1 to 64", provisioning.InvalidField("memory", "must be %d to %d", 1, 64).Error())
	assert.Equal(t, `conflict: 2 servers could be the one of key "order-1": [3 4]`,
		(&provisioning.ConflictError{Key: "order-1", Candidates: []provisioning.ID{"3", "4"}}).Error())
	require.ErrorIs(t, &provisioning.ConflictError{}, provisioning.Conflict)
	require.NotErrorIs(t, &provisioning.ConflictError{}, provisioning.NotFound)
}

func TestAnErrorIsLoggedInParts(t *testing.T) {
	t.Parallel()
	err := &provisioning.Error{
		Panel: "virtfusion", Op: "createServer", Method: "POST", Path: "/servers", Status: 429, Attempts: 3, Kind: provisioning.RateLimited,
		Message: "slow down", RequestID: "r-1",
		Fields: map[string][]string{"name": {"is missing"}, "ipv4": {"must be 0 to 4", "is odd"}}, RetryAfter: time.Minute, MaybeApplied: true, Err: io.EOF,
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{ReplaceAttr: dropTime}))
	logger.Error("failed", "err", err)
	assert.JSONEq(t, `{"level":"ERROR","msg":"failed","err":{"kind":"rate_limited","panel":"virtfusion","op":"createServer","method":"POST","path":"/servers",
		"message":"slow down","request_id":"r-1","status":429,"attempts":3,"fields":{"ipv4":"must be 0 to 4, is odd","name":"is missing"},
		"retry_after":60000000000,"maybe_applied":true,"cause":"EOF"}}`, log.String())

	log.Reset()
	logger.Error("failed", "err", provisioning.InvalidField("ipv4", "must be 0 to 4"))
	assert.JSONEq(t, `{"level":"ERROR","msg":"failed","err":{"kind":"invalid","fields":{"ipv4":"must be 0 to 4"}}}`, log.String())
	assert.Equal(t, 1, strings.Count(log.String(), "\n"))
}
