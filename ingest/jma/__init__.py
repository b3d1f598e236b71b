"""Telegrams of the Japan Meteorological Agency: 気象庁防災情報XML (jmaxml1), their parser and their feed."""
