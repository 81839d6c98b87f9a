// https://pkg.go.dev/net/http#example-ListenAndServe
// https://www.mongodb.com/docs/drivers/go/current/get-started/
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const iso = "2006-01-02T15:04:05.000Z07:00"

type stored struct {
	ID        string    `bson:"_id"`
	CreatedAt time.Time `bson:"createdAt"`
	Data      bson.M    `bson:"data"`
}

type item struct {
	ID        string `json:"id"`
	CreatedAt string `json:"createdAt"`
	Data      bson.M `json:"data"`
}

type page struct {
	Items []item  `json:"items"`
	Next  *string `json:"next"`
}

type moment struct {
	Time     string `json:"time"`
	EpochMs  int64  `json:"epochMs"`
	Timezone string `json:"timezone"`
}

var documents *mongo.Collection

func main() {
	client, err := mongo.Connect(options.Client().
		ApplyURI(os.Getenv("MONGODB_URI")).
		SetBSONOptions(&options.BSONOptions{DefaultDocumentM: true}))
	if err != nil {
		log.Fatal(err)
	}
	documents = client.Database(os.Getenv("MONGO_DATABASE")).Collection("documents")

	http.HandleFunc("GET /time", now)
	http.HandleFunc("GET /data", read)
	http.HandleFunc("POST /data", write)
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}

func now(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("tz")
	if name == "" {
		name = "UTC"
	}
	location, err := zone(name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	t := time.Now().In(location)
	send(w, http.StatusOK, moment{t.Format(iso), t.UnixMilli(), name})
}

// reading a zone's file takes longer than the rest of the request
var zones sync.Map

func zone(name string) (*time.Location, error) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	location, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, location)
	}
	return location, err
}

func read(w http.ResponseWriter, r *http.Request) {
	found, err := newest(r.Context(), 51)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p := page{Items: []item{}}
	for i, document := range found {
		if i == 50 {
			p.Next = &p.Items[49].ID
			break
		}
		p.Items = append(p.Items, toItem(document))
	}
	send(w, http.StatusOK, p)
}

func newest(ctx context.Context, limit int64) ([]stored, error) {
	descending := options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(limit)
	cursor, err := documents.Find(ctx, bson.D{}, descending)
	if err != nil {
		return nil, err
	}
	var found []stored
	err = cursor.All(ctx, &found)
	return found, err
}

func write(w http.ResponseWriter, r *http.Request) {
	var data bson.M
	if err := json.NewDecoder(r.Body).Decode(&data); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, err := uuid.NewV7()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	document := stored{id.String(), time.Now().UTC(), data}
	if _, err := documents.InsertOne(r.Context(), document); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Location", "/data/"+document.ID)
	send(w, http.StatusCreated, toItem(document))
}

func toItem(document stored) item {
	return item{document.ID, document.CreatedAt.UTC().Format(iso), document.Data}
}

func send(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		log.Print(err)
	}
}
