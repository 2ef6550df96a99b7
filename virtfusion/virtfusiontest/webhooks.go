package virtfusiontest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Numbers of the events that webhooks subscribe to. The panel has more; only these are documented.
const (
	EventAll           = 1000
	EventServerCreate  = 1
	EventServerDestroy = 2
	EventServerBuild   = 3
)

var eventNames = map[int]string{EventServerCreate: "server.create", EventServerDestroy: "server.destroy", EventServerBuild: "server.build"}

// Webhook is a subscription, as an administrator makes it in the panel. It is not part of a Snapshot.
type Webhook struct {
	URL    string
	Token  provisioning.Secret // sent as "Bearer " and the base64 of it; "" sends no such header
	Events []int               // EventAll and an empty list stand for all
	Status string              // success or fail; "" is any
	// Transport carries the calls; nil is the network.
	Transport http.RoundTripper
}

// Delivery is one call of a webhook. It is made once; whether the panel repeats one is not documented.
type Delivery struct {
	HookID int
	Event  string
	Status string // success or fail
	Answer int    // HTTP status, 0 when there was no answer
}

// hooks calls webhooks. Its fields are guarded by the panel's lock, except for what a delivery in progress needs.
type hooks struct {
	list       []*Webhook // pointers, so that printing a panel shows no token
	deliveries []Delivery
	timer      *time.Timer // runs at the end of the next job, while somebody listens
	calls      int         // in progress
	idle       chan struct{}
	ctx        context.Context
	stop       context.CancelFunc
}

// happening is an event that nobody was told about yet.
type happening struct {
	number int
	failed string // why, "" for success
	server int64
	gone   bool
	at     time.Time
}

// AddWebhook subscribes a receiver to what happens from now on, and returns the number that the panel gives it.
func (p *Panel) AddWebhook(w Webhook) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.look()
	if p.hooks.ctx == nil {
		p.hooks.ctx, p.hooks.stop = context.WithCancel(context.Background())
	}
	c.happened = nil
	p.hooks.list = append(p.hooks.list, &w)
	p.dispatch()
	return len(p.hooks.list)
}

// Deliveries returns the calls of webhooks that have ended, in the order in which they ended.
func (p *Panel) Deliveries() []Delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.look()
	p.dispatch()
	return slices.Clone(p.hooks.deliveries)
}

// note remembers what a job brought about.
func (st *state) note(j *job, s *server) {
	switch j.Task {
	case TaskBuild:
		st.happened = append(st.happened, happening{number: EventServerBuild, failed: j.Fail, server: s.ID, at: j.Finish})
	case taskDelete:
		st.happened = append(st.happened, happening{number: EventServerDestroy, server: s.ID, gone: true, at: j.Finish})
	}
}

// dispatch starts the calls that are due, each in a goroutine, and sets the timer for the next job. The panel is locked.
func (p *Panel) dispatch() {
	due := p.state.happened
	p.state.happened = nil
	if len(p.hooks.list) == 0 || p.hooks.ctx.Err() != nil {
		return
	}
	for _, h := range due {
		for i, w := range p.hooks.list {
			if w.wants(h) {
				p.deliver(i+1, w, h)
			}
		}
	}
	if p.hooks.timer != nil {
		p.hooks.timer.Stop()
	}
	if next, ok := p.state.nextFinish(); ok {
		p.hooks.timer = time.AfterFunc(time.Until(next), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.look()
			p.dispatch()
		})
	}
}

func (w *Webhook) wants(h happening) bool {
	status := hookStatus(h)
	return (len(w.Events) == 0 || slices.Contains(w.Events, EventAll) || slices.Contains(w.Events, h.number)) && (w.Status == "" || w.Status == status)
}

func hookStatus(h happening) string {
	if h.failed != "" {
		return "fail"
	}
	return "success"
}

func (st *state) nextFinish() (next time.Time, ok bool) {
	for _, id := range st.Open {
		if f := st.Jobs[id].Finish; !ok || f.Before(next) {
			next, ok = f, true
		}
	}
	return next, ok
}

// deliver calls one webhook. The body is made now, the call goes on without the lock.
func (p *Panel) deliver(hookID int, w *Webhook, h happening) {
	body := p.hookBody(hookID, h)
	p.hooks.calls++
	go func() {
		answer := w.post(p.hooks.ctx, hookID, h, body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.hooks.deliveries = append(p.hooks.deliveries, Delivery{HookID: hookID, Event: eventNames[h.number], Status: hookStatus(h), Answer: answer})
		p.hooks.calls--
		if p.hooks.calls == 0 && p.hooks.idle != nil {
			close(p.hooks.idle)
			p.hooks.idle = nil
		}
	}()
}

func (p *Panel) hookBody(hookID int, h happening) []byte {
	c := &call{state: p.state, panel: p, now: clock()}
	errors := []string{}
	if h.failed != "" {
		errors = append(errors, h.failed)
	}
	data := obj{"errors": errors, "server": false}
	if s := c.Servers[h.server]; s != nil && !h.gone {
		data["server"] = c.serverJSON(s)
	} else if s != nil {
		data["server"] = obj{"id": s.ID, "uuid": s.UUID} // guess: what is left of a destroyed server
	}
	if h.number == EventServerCreate {
		data["args"], data["allocation"] = obj{}, false
	}
	body, err := json.Marshal(obj{
		"event": eventNames[h.number], "created": h.at.Format(hookTime), "hookId": hookID, "hookEventId": h.number, "eventStatus": hookStatus(h),
		"controlDomain": "virtfusion.test", "controlName": "Simulated VirtFusion", "controlSupportLink": "", "data": data,
	})
	if err != nil {
		return []byte("{}")
	}
	return body
}

const hookTime = "2006-01-02T15:04:05.000000Z"

// post returns the status of the answer, 0 when there was none.
func (w *Webhook) post(ctx context.Context, hookID int, h happening, body []byte) int {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // guess
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	if w.Token != "" {
		r.Header.Set("Authorization", "Bearer "+base64.StdEncoding.EncodeToString([]byte(w.Token.Reveal())))
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "VirtFusion-Hookshot/57HE28D3RT", "X-VirtFusion-Hook": strconv.Itoa(hookID),
		"X-VirtFusion-Hook-Event": strconv.Itoa(h.number), "X-VirtFusion-Created": h.at.Format(hookTime), "X-VirtFusion-Event": eventNames[h.number],
		"X-VirtFusion-Event-Status": hookStatus(h),
	} {
		r.Header.Set(name, value)
	}
	resp, err := (&http.Client{Transport: w.Transport}).Do(r)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	return resp.StatusCode
}

// endHooks stops the timer and waits for calls in progress.
func (p *Panel) endHooks() {
	p.mu.Lock()
	if p.hooks.ctx == nil {
		p.mu.Unlock()
		return
	}
	p.hooks.stop()
	if p.hooks.timer != nil {
		p.hooks.timer.Stop()
	}
	var idle chan struct{}
	if p.hooks.calls > 0 {
		idle = make(chan struct{})
		p.hooks.idle = idle
	}
	p.mu.Unlock()
	if idle != nil {
		<-idle
	}
}
