// Added by functions-on-knative; not part of FerretDB.

package handler

import (
	"errors"

	"github.com/FerretDB/FerretDB/internal/handler/common"
	"github.com/FerretDB/FerretDB/internal/types"
	"github.com/FerretDB/FerretDB/internal/util/iterator"
	"github.com/FerretDB/FerretDB/internal/util/lazyerrors"
)

// sortByID returns 1 or -1 if a query asks for the first documents by _id, in that order; otherwise 0.
func sortByID(sort *types.Document, skip, limit int64) int64 {
	const enough = 1 << 31
	if sort.Len() != 1 || limit == 0 || skip+limit < 0 || skip+limit > enough {
		return 0
	}

	order, _ := sort.Get("_id")
	res, _ := order.(int64)

	return res
}

// firstMatching reads until n documents have passed the filter, closes the iterator and returns one over
// those documents, so that a cursor that is left open holds no transaction of the backend.
func firstMatching(iter types.DocumentsIterator, filter *types.Document, n int64) (types.DocumentsIterator, error) {
	defer iter.Close()

	var docs []*types.Document

	for int64(len(docs)) < n {
		_, doc, err := iter.Next()
		if errors.Is(err, iterator.ErrIteratorDone) {
			break
		}

		if err != nil {
			return nil, lazyerrors.Error(err)
		}

		matches, err := common.FilterDocument(doc, filter)
		if err != nil {
			return nil, lazyerrors.Error(err)
		}

		if matches {
			docs = append(docs, doc)
		}
	}

	return iterator.Values(iterator.ForSlice(docs)), nil
}
