# https://flask.palletsprojects.com/en/stable/quickstart/
# https://www.mongodb.com/docs/languages/python/pymongo-driver/current/get-started/
import os
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from flask import Flask, request
from pymongo import MongoClient
from uuid_utils import uuid7

app = Flask(__name__)
client = MongoClient(os.environ["MONGODB_URI"], tz_aware=True)
documents = client.get_default_database()["documents"]


@app.get("/time")
def time():
    name = request.args.get("tz", "UTC")
    now = datetime.now(ZoneInfo(name))
    return {"time": iso(now), "epochMs": int(now.timestamp() * 1000), "timezone": name}


@app.get("/data")
def read():
    found = list(documents.find().sort("_id", -1).limit(51))
    items = [item(document) for document in found[:50]]
    return {"items": items, "next": items[-1]["id"] if len(found) > 50 else None}


@app.post("/data")
def write():
    document = {
        "_id": str(uuid7()),
        "createdAt": datetime.now(timezone.utc),
        "data": request.get_json(),
    }
    documents.insert_one(document)
    return item(document), 201, {"Location": f"/data/{document['_id']}"}


def item(document):
    return {
        "id": document["_id"],
        "createdAt": iso(document["createdAt"]),
        "data": document["data"],
    }


def iso(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
