package virtfusion

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ListOptions tunes a list that comes in pages.
type ListOptions struct {
	// Results is how many rows the panel puts on a page: 1 to 200, or 0 for 200. Fewer rows a page mean more calls and the same list.
	Results int
}

// maxResults is the largest page the panel gives, and what lists ask for.
const maxResults = 200

// page is the panel's page: its members lie beside data. The links are ignored; they may name an internal host and lose filters.
type page[T any] struct {
	CurrentPage Int `json:"current_page"`
	LastPage    Int `json:"last_page"`
	// Total is nil when it is not told.
	Total *Int `json:"total"`
	Data  []T  `json:"data"`
}

// pageCall is a list operation. Its fields are not changed while it is used, so that ranging twice asks the same.
type pageCall struct {
	op      string
	since   string // see rest.Call.Since
	path    []any
	query   url.Values
	results int
	opts    []CallOption
}

// pages walks from page 1 to the last page, which every page tells anew, and reads a page only when the one before is used up. Each page is a new one.
func pages[T any](ctx context.Context, c *rest.Client, list pageCall) iter.Seq2[*page[T], error] {
	opts := slices.Clone(list.opts) // the caller's slice may change between two walks
	query := maps.Clone(list.query)
	if query == nil {
		query = url.Values{}
	}
	if list.results == 0 {
		list.results = maxResults
	}
	return func(yield func(*page[T], error) bool) {
		if list.results < 0 || list.results > maxResults {
			yield(nil, provisioning.InvalidField("results", "must be between 1 and %d, or 0 for that many, not %d", maxResults, list.results))
			return
		}
		for n := 1; ; n++ {
			q := maps.Clone(query)
			q.Set("results", strconv.Itoa(list.results))
			q.Set("page", strconv.Itoa(n))
			p := new(page[T])
			err := c.Do(ctx, rest.Call{Op: list.op, Since: list.since, Class: rest.Read, Method: http.MethodGet, Path: list.path, Query: q, Out: p,
				Check: func() error { return p.check(n) }}, opts...)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(p, nil) || n >= int(p.LastPage) || len(p.Data) == 0 {
				return
			}
		}
	}
}

// check refuses an answer that is not page n. A panel that ignored the page number would otherwise be listed again and again.
func (p *page[T]) check(n int) error {
	if err := hasList(p.Data); err != nil {
		return err
	}
	if p.LastPage < 1 {
		return lacks("page numbers")
	}
	if int(p.CurrentPage) != n {
		return &provisioning.Error{Kind: provisioning.Mismatch, Message: "the answer is another page than the one asked for"}
	}
	return nil
}

// rows yields the rows of all pages, as values.
func rows[T any](ctx context.Context, c *rest.Client, list pageCall) iter.Seq2[T, error] {
	walk := pages[T](ctx, c, list)
	return func(yield func(T, error) bool) {
		for p, err := range walk {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range p.Data {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// completeWalks is how often allRows walks before it gives up.
const completeWalks = 3

// allRows collects the rows of a walk that proves itself complete: every page told the same total, and there are that many different ids. Rows that come and go
// shift the pages, so a walk that does not add up is repeated.
func allRows[T any, K comparable](ctx context.Context, c *rest.Client, list pageCall, id func(*T) K) ([]T, error) {
	for range completeWalks {
		var all []T
		ids := map[K]struct{}{}
		var total *Int
		steady := true
		for p, err := range pages[T](ctx, c, list) {
			if err != nil {
				return nil, err
			}
			steady = steady && p.Total != nil && (total == nil || *total == *p.Total)
			total = p.Total
			for i := range p.Data {
				ids[id(&p.Data[i])] = struct{}{}
			}
			all = append(all, p.Data...)
		}
		if steady && len(ids) == len(all) && len(all) == int(*total) {
			return all, nil
		}
	}
	return nil, &provisioning.Error{Panel: panelName, Op: list.op, Kind: provisioning.Unavailable, Attempts: completeWalks,
		Message: "the list changed during each walk, so that none was provably complete"}
}
