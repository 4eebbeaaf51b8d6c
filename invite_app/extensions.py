"""The Flask extensions, not yet bound to an application."""

from flask_login import LoginManager
from flask_mail import Mail
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from .models.types import Base

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "autoflush": False})
login = LoginManager()
csrf = CSRFProtect()
mail = Mail()
