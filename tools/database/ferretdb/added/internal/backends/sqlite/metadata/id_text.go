// Added by functions-on-knative; not part of FerretDB.

package metadata

import (
	"context"
	"fmt"

	"github.com/FerretDB/FerretDB/internal/backends"
	"github.com/FerretDB/FerretDB/internal/util/fsql"
	"github.com/FerretDB/FerretDB/internal/util/lazyerrors"
)

// IDText is a SQLite expression for _id: the string itself, without JSON's quotes and escapes, as
// those would change the order. An ObjectID is its hexadecimal digits.
const IDText = DefaultColumn + "->>'_id'"

// indexIDText makes the index on IDText, unless the table has it.
// Documents are told apart by the unique index on the JSON of _id, which is not changed.
func indexIDText(ctx context.Context, db *fsql.DB, tableName string) error {
	q := fmt.Sprintf(
		"CREATE INDEX IF NOT EXISTS %q ON %q (%s)",
		tableName+"_"+backends.ReservedPrefix+"id_text", tableName, IDText,
	)
	if _, err := db.ExecContext(ctx, q); err != nil {
		return lazyerrors.Error(err)
	}

	return nil
}
