package virtfusion

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// QueueItem is a job that the panel has accepted and carries out by itself. Only one finished and successful item was ever published; what a waiting or failed
// one looks like follows from the documentation's words.
type QueueItem struct {
	ID           QueueID      `json:"id"`
	JobID        Text         `json:"jobId"`
	Job          string       `json:"job"` // a class name of the panel
	HypervisorID HypervisorID `json:"hypervisorId"`
	ServerID     ServerID     `json:"serverId"`
	Action       string       `json:"action"` // "build_server"
	Queue        string       `json:"queue"`
	Started      Time         `json:"started"`
	Updated      Time         `json:"updated"`
	Finished     Time         `json:"finished"` // zero until the job ended
	Failed       Bool         `json:"failed"`
	Progress     Int          `json:"progress"` // percent
	Errors       QueueErrors  `json:"errors"`
	// PrimaryActions are the steps of the job with what they ran and read: paths of the hypervisor, keys, the guest's first configuration. Never log them.
	PrimaryActions json.RawMessage `json:"primaryActions"`
	// SubActions was empty in the only item published. Never log them either.
	SubActions json.RawMessage `json:"subActions"`
}

// QueueErrors says why a job failed.
type QueueErrors struct {
	Exception struct {
		Stringable Bool            `json:"stringable"`
		Errors     json.RawMessage `json:"errors"`
		Type       string          `json:"type"`
		Trace      json.RawMessage `json:"trace"` // of the panel's program. Never log it
		Message    string          `json:"message"`
	} `json:"exception"`
}

// Done reports whether the job ended, well or not: the panel set the time of its end, or marked it as failed.
func (i *QueueItem) Done() bool { return !i.Finished.IsZero() || bool(i.Failed) }

// Look is the item as provisioning.Wait reads it: an error that wraps provisioning.ErrTaskFailed and gives the panel's reason when the job failed.
func (i *QueueItem) Look() (provisioning.Look, error) {
	if i.Failed {
		reason := strings.Join(strings.Fields(i.Errors.Exception.Message), " ")
		if reason == "" {
			reason = "the panel gives no reason"
		}
		return provisioning.Look{}, fmt.Errorf("virtfusion: queue item %d (%s): %w: %.300s", i.ID, i.Action, provisioning.ErrTaskFailed, reason)
	}
	return provisioning.Look{Done: i.Done(), Percent: int(i.Progress), State: i.Action}, nil
}

// QueueService looks at queue items. The panel has no list of them.
type QueueService struct{ rest *rest.Client }

// Get reads one item. NotFound when there is none; how long the panel keeps finished items is not documented.
//
// Class: read.
// API: GET /queue/{queueId}
func (s *QueueService) Get(ctx context.Context, id QueueID, opts ...CallOption) (*QueueItem, error) {
	if err := positive("queueId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getQueueItem", Class: rest.Read, Method: http.MethodGet, Path: []any{"queue", id}},
		func(v *QueueItem) error { return sameID("queue item", v.ID, id) }, opts)
}

// Wait waits until the item has ended. nil means that the panel says it went well. A failed job is an error that wraps provisioning.ErrTaskFailed, with the
// panel's reason; a wait that ended before the job did wraps provisioning.ErrStillRunning, and ctx's error where that ended it.
func (s *QueueService) Wait(ctx context.Context, id QueueID, o provisioning.WaitOptions) error {
	if err := positive("queueId", id); err != nil {
		return err
	}
	return provisioning.Wait(ctx, func(ctx context.Context) (provisioning.Look, error) {
		item, err := s.Get(ctx, id)
		if err != nil {
			return provisioning.Look{}, err
		}
		return item.Look()
	}, o)
}
