"""Django's migrations and ORM: makes a project's tables, alters them, uses them, takes them down. One JSON object."""

import sys
import tempfile
from pathlib import Path

import django
from django.conf import settings

import scenarios as s

MODELS = """
from django.db import models
class Author(models.Model):
    name = models.CharField(max_length=50, unique=True)
    joined = models.DateTimeField(auto_now_add=True)
class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    title = models.TextField(db_index=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    extra = models.JSONField(default=dict)
    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="no_negative_price")]
"""

folder = Path(tempfile.mkdtemp())
app = folder / "library"
(app / "migrations").mkdir(parents=True)
(app / "__init__.py").touch()
(app / "migrations/__init__.py").touch()
sys.path.insert(0, str(folder))
place = s.place()
settings.configure(
    SECRET_KEY="x",
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "library"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": place["dbname"],
            "USER": place["user"],
            "PASSWORD": place["password"],
            "HOST": place["host"],
            "PORT": place["port"],
            "OPTIONS": {"sslmode": place["sslmode"]},
        }
    },
)
(app / "models.py").write_text(MODELS)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, transaction  # noqa: E402

quiet = {"verbosity": 0}
call_command("makemigrations", "library", **quiet)
call_command("migrate", **quiet)
from library.models import Author, Book

with transaction.atomic():
    author = Author.objects.create(name="Ada")
    Book.objects.bulk_create(
        [Book(author=author, title=f"book {n}", price=n, extra={"n": n}) for n in range(50)]
    )
try:
    with transaction.atomic():
        Book.objects.create(author=author, title="bad", price=-1)
    refused = None
except IntegrityError as error:
    refused = error.__cause__.sqlstate
rows = [book.title for book in Book.objects.filter(price__gt=47).order_by("title").iterator(chunk_size=10)]
call_command("migrate", "library", "zero", **quiet)
with connection.cursor() as cursor:
    tables = connection.introspection.table_names(cursor)
s.say("django", rows=rows, refused=refused, gone="library_book" not in tables)
