package solusvm2

import (
	"context"
	"iter"
)

// ISOImage is an image that a server can boot from.
type ISOImage struct {
	ID   ISOImageID `json:"id"`
	Name string     `json:"name"`
}

// ISOImagesService lists ISO images.
type ISOImagesService struct{ rest *conn }

// List yields the ISO images, page by page. It was seen in one third-party module only.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /iso_images
func (s *ISOImagesService) List(ctx context.Context, o ListOptions, opts ...CallOption) iter.Seq2[ISOImage, error] {
	return rows[ISOImage](ctx, s.rest, pageCall{op: "listIsoImages", path: []any{"iso_images"}, filter: o, opts: opts})
}
