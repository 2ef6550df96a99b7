package solusvm2

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/go-querystring/query"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ListOptions tunes a list that comes in pages.
type ListOptions struct {
	// PerPage asks for so many rows a page; 0 leaves it to the panel, which gives 50. Whether the panel heeds it is not documented, and no list depends on it.
	PerPage int `url:"per_page,omitempty"`
}

// page is the panel's page. The links are not read: they are absolute, may name another host, and lose filters.
type page[T any] struct {
	Data []T       `json:"data"`
	Meta *pageMeta `json:"meta"` // some lists have none, and then one page
}

type pageMeta struct {
	CurrentPage Int `json:"current_page"`
	LastPage    Int `json:"last_page"`
	Total       Int `json:"total"`
}

// pageCall is a list operation. Its fields are not changed while it is used, so that ranging twice asks the same.
type pageCall struct {
	op     string
	path   []any
	filter any // a struct with url tags, or nil
	opts   []CallOption
}

// pages walks from page 1 to the last page, which every page tells anew, and reads a page only when the one before is used up. Each page is a new one.
func pages[T any](ctx context.Context, c *conn, list pageCall) iter.Seq2[*page[T], error] {
	opts := slices.Clone(list.opts) // the caller's slice may change between two walks
	return func(yield func(*page[T], error) bool) {
		q, err := list.query()
		if err != nil {
			yield(nil, err)
			return
		}
		for n := 1; ; n++ {
			if n > 1 {
				q.Set("page", strconv.Itoa(n))
			}
			p := new(page[T])
			err := c.Do(ctx, rest.Call{Op: list.op, Class: rest.Read, Method: http.MethodGet, Path: list.path, Query: q, Out: p,
				Check: func() error { return p.check(n) }}, opts...)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(p, nil) || p.Meta == nil || n >= int(p.Meta.LastPage) || len(p.Data) == 0 {
				return
			}
		}
	}
}

func (list pageCall) query() (url.Values, error) {
	q, err := query.Values(list.filter)
	if err != nil {
		return nil, provisioning.InvalidField("filter", "cannot be written as a query")
	}
	for name := range q {
		if n, err := strconv.ParseInt(q.Get(name), 10, 64); err == nil && n < 0 && name != "filter[search]" {
			return nil, provisioning.InvalidField(name, "must not be below 0")
		}
	}
	return q, nil
}

// check refuses an answer that is not page n. A panel that ignored the page number would otherwise be listed again and again.
func (p *page[T]) check(n int) error {
	if err := hasList(p.Data); err != nil {
		return err
	}
	if p.Meta == nil || p.Meta.LastPage == 0 && n == 1 {
		return nil
	}
	if int(p.Meta.CurrentPage) != n {
		return &provisioning.Error{Kind: provisioning.Mismatch, Message: "the answer is another page than the one asked for"}
	}
	return nil
}

// rows yields the rows of all pages, as values.
func rows[T any](ctx context.Context, c *conn, list pageCall) iter.Seq2[T, error] {
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

// rowsOf is rows for a list of what belongs to the record id.
func rowsOf[T any, K ~int64](ctx context.Context, c *conn, id K, list pageCall) iter.Seq2[T, error] {
	if err := positive("id", id); err != nil {
		return func(yield func(T, error) bool) {
			var none T
			yield(none, err)
		}
	}
	return rows[T](ctx, c, list)
}

// collect returns the rows of a short list that the panel is not known to page.
func collect[T any](ctx context.Context, c *conn, list pageCall) ([]T, error) {
	all := []T{}
	for p, err := range pages[T](ctx, c, list) {
		if err != nil {
			return nil, err
		}
		all = append(all, p.Data...)
	}
	return all, nil
}

// collectOf is collect for a list of what belongs to the record id.
func collectOf[T any, K ~int64](ctx context.Context, c *conn, id K, list pageCall) ([]T, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	return collect[T](ctx, c, list)
}

// completeWalks is how often complete walks before it gives up.
const completeWalks = 3

// complete collects the rows of a walk that proves itself complete: every page told the same total, and there are that many different ids. Rows that come and
// go shift the pages, so a walk that does not add up is repeated.
func complete[T any, P record[T]](ctx context.Context, c *conn, list pageCall) ([]T, error) {
	for range completeWalks {
		all := []T{}
		ids := map[int64]struct{}{}
		total, steady := Int(-1), true
		for p, err := range pages[T](ctx, c, list) {
			if err != nil {
				return nil, err
			}
			if p.Meta == nil {
				return nil, &provisioning.Error{Panel: panelName, Op: list.op, Kind: provisioning.Unexpected,
					Message: "the list does not tell its total, so that it cannot be proven complete"}
			}
			steady = steady && (total < 0 || total == p.Meta.Total)
			total = p.Meta.Total
			for i := range p.Data {
				id, _ := P(&p.Data[i]).key()
				ids[id] = struct{}{}
			}
			all = append(all, p.Data...)
		}
		if steady && len(ids) == len(all) && len(all) == int(total) {
			return all, nil
		}
	}
	return nil, &provisioning.Error{Panel: panelName, Op: list.op, Kind: provisioning.Unavailable, Attempts: completeWalks,
		Message: "the list changed during each walk, so that none was provably complete"}
}
