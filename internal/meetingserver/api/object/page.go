// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package object

import "strconv"

// MaxItems is the largest number of items of one page. Servers send 10 or 20, whatever the
// request asks for.
const MaxItems = 1000

// Page is one page of a collection.
type Page[T any] struct {
	// Total is the number of objects on all pages of the collection.
	Total int
	// Items are the objects of this page, in the order of the server.
	Items []T
}

// decodePage reads a page whose items are elements of the given name below the
// root; bind says where the values of an item go.
func decodePage[T any](body []byte, root, item string, bind func(*T) setters) (page Page[T], err error) {
	var own setters // of the item that is read
	item = string(appendName(nil, item))
	err = scanDocument(body, root, visitor{
		begin: func(path []byte) {
			if string(path) != item {
				return
			}
			own = nil
			if len(page.Items) < MaxItems {
				var fresh T
				page.Items = append(page.Items, fresh)
				own = bind(&page.Items[len(page.Items)-1])
			}
		},
		leaf: func(path []byte, text string) {
			if string(path) == "total" {
				if n, err := strconv.Atoi(text); err == nil {
					page.Total = max(n, 0)
				}
				return
			}
			if len(path) <= len(item) || string(path[:len(item)]) != item || path[len(item)] != '/' {
				return
			}
			if set := own[string(path[len(item)+1:])]; set != nil {
				set(text)
			}
		},
	})
	if err != nil {
		return Page[T]{}, err
	}
	page.Total = max(page.Total, len(page.Items))
	return page, nil
}
