package solusvm2test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// maxRedirects is how many redirects the panel follows.
const maxRedirects = 5

// Delivery is one call of a webhook. It is made once: the panel is not known to repeat one.
type Delivery struct {
	TaskID      int64
	HandlerID   int64
	HandlerName string
	Event       string
	Time        time.Time           // of the event
	URL         provisioning.Secret // with all parameters; they usually hold the shared secret
	Redirects   int                 // how many were followed
	Status      int                 // of the last answer, 0 when there was none
	Done        bool                // it has ended, well or not
	Failed      bool                // the task of the panel has the status "failed"
	Reason      string              // why it failed
}

// delivery is a Delivery as it is stored.
type delivery struct {
	TaskID      int64     `json:"taskId"`
	HandlerID   int64     `json:"handlerId"`
	HandlerName string    `json:"handlerName"`
	Event       string    `json:"event"`
	Time        time.Time `json:"time"`
	URL         string    `json:"url"`
	Begun       bool      `json:"begun"`
	Redirects   int       `json:"redirects"`
	Status      int       `json:"status"`
}

// Deliveries returns the calls of webhooks, in the order of their events.
func (p *Panel) Deliveries() []Delivery {
	return view(p, func(c *call) []Delivery {
		list := []Delivery{}
		for _, d := range c.Deliveries {
			t := c.Tasks[d.TaskID]
			list = append(list, Delivery{
				TaskID: d.TaskID, HandlerID: d.HandlerID, HandlerName: d.HandlerName, Event: d.Event, Time: d.Time, URL: provisioning.Secret(d.URL),
				Redirects: d.Redirects, Status: d.Status, Done: t.Status != "", Failed: t.Status == TaskFailed, Reason: t.Output,
			})
		}
		return list
	})
}

// webhookClient follows up to five redirects: 301, 302 and 303 with GET, 307 and 308 with POST, as PHP clients do by default (guess), and without a Referer
// header. Certificates are not checked, which is documented.
func webhookClient(rt http.RoundTripper) *http.Client {
	if rt == nil {
		rt = &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // #nosec G402 -- as the panel does it
			DisableKeepAlives: true,
		}
	}
	return &http.Client{Transport: rt, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		r.Header.Del("Referer")
		if len(via) > maxRedirects {
			return errors.New("more than five redirects")
		}
		return nil
	}}
}

// dispatch starts the calls that are due, each in a goroutine of its own, and sets the timer for the next task. The panel is locked.
func (p *Panel) dispatch() {
	if p.ended {
		return
	}
	for i := len(p.state.Deliveries) - 1; i >= 0 && !p.state.Deliveries[i].Begun; i-- { // the new ones are at the end
		d := p.state.Deliveries[i]
		d.Begun = true
		t, target := p.state.Tasks[d.TaskID], d.URL
		p.calls.Go(func() { p.deliver(d, t, target) })
	}
	p.wind()
}

// wind sets the timer to the end of the next task, while a handler could fire then. Without handlers nobody needs to know, and what time did is computed at
// the next look.
func (p *Panel) wind() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	due := p.state.nextDue()
	if due == nil || len(p.state.Handlers) == 0 {
		return
	}
	p.timer = time.AfterFunc(time.Until(due.Finish), func() { p.look(func(*call) {}) })
}

// deliver calls a webhook and ends its task.
func (p *Panel) deliver(d *delivery, t *task, target string) {
	status, redirects, err := p.post(target)
	p.mu.Lock()
	defer p.mu.Unlock()
	d.Status, d.Redirects, t.Finish, t.Status = status, redirects, clock(), TaskDone
	switch {
	case err != nil:
		t.Status, t.Output = TaskFailed, err.Error()
	case status >= 400:
		t.Status, t.Output = TaskFailed, fmt.Sprintf("The receiver answered %d.", status)
	}
}

// post sends an empty body; everything is in the URL. The content of the answer is not looked at.
func (p *Panel) post(target string) (status, redirects int, err error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.timing.Webhook)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, http.NoBody)
	if err != nil {
		return 0, 0, errors.New("the URL cannot be called")
	}
	resp, err := p.webhooks.Do(r)
	if err != nil {
		if e := (*url.Error)(nil); errors.As(err, &e) {
			err = e.Err // the URL holds a secret
		}
		return 0, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	for last := resp.Request; last != nil && last.Response != nil; last = last.Response.Request {
		redirects++
	}
	return resp.StatusCode, redirects, nil
}
